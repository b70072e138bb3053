"""The public face: keeps pages, turns what browsers say into packets and back, knows no database."""
