"""Where the CPU time of processes goes: sampled by py-spy, told by thread, module and function."""
