"""An endless, licence-free world of landscapes from a seed: label maps, renderings, paintings and captions."""
