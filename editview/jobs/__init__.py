"""One queue, one worker thread, cancel; answers requests with events."""
