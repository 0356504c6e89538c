"""Documents of models as data: cards, data sheets, assessments; read from and written to the forms of others."""
