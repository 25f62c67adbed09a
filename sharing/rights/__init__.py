"""Rights in data, what is sold under them, and who is paid."""
