"""An example of plug-ins for crowdd: the blueprint `pairs` and the crowd provider `panel`."""
