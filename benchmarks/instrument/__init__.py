"""How benchmarks are declared, measured beside their baselines, kept and shown. Knows nothing of crowdd."""
