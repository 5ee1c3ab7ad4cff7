"""A language model as the others need it: open, anatomy, statistics, answers, weight changes. torch, no Qt."""
