"""Files that survive a power cut: what daemon and router share about disks."""
