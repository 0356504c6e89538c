"""The catalogue: items as services, officers and files state them, and what a removed one leaves."""
