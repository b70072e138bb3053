"""What is measured rather than tested: see README.md. From the top folder, `python -m benchmarks.NAME`."""
