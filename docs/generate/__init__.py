"""What the site is made of besides its written pages: models, commands, lectures, the API."""
