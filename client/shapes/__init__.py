"""What the daemon tells, as frozen objects, in modules that are named as its own. Times are aware, in UTC."""
