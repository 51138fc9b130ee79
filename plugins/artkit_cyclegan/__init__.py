"""CycleGAN: learn to translate between two kinds of pictures without pairs."""
