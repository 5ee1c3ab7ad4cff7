"""Forms in which people keep facts as JSON, one a file; `forms.py` tells from a record which it is."""
