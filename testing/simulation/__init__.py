"""The parts of the simulated world: bad wires, router shells, browsers, a daemon that dies, faults."""
