"""Facts of the real service, each put to the emulator, and the page that counts them."""
