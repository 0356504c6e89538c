"""Rights of people: the clocks of the laws, requests and their states, the stores that answer them."""
