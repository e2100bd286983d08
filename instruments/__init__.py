"""What is measured, when, and what does a number mean? YAML and CSV only, read by `mbt_rom.registry`."""
