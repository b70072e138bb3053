"""What crowdd says of itself while it runs: parts with levels, the form of a line, where lines go."""
