"""When, where and by whom is it run? The code location, jobs, schedules, sensors, the nightly run and the command line `rom`."""
