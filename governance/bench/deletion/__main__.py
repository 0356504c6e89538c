"""The process that deletes for a measurement: Django is set up before anything that has models is imported."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
django.setup()

from governance.bench.deletion import deleting  # noqa: E402

deleting.main()
