"""`crowdd certify`: real processes are killed, cut off and starved while work goes on; then all is checked.

`kills` (daemon, router and browsers die at random), `syscalls` (at every system call of an operation) and
`power` (the disk loses what was not synced) are campaigns; `scene` is what they are about; `zygote` starts
processes without waiting for their imports; `mutants` are planted faults that a campaign must find.
"""
