"""One module per command of `rom`, imported only when that command is called."""
