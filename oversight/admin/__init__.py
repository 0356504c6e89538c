"""Officers' pages about change sets, and the forms of registers that draft them."""
