"""What a person sees: panels over the session. Rests on the domain alone."""
