"""Settings of tests: a throwaway instance; secrets are made up here when none are given."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("DATABASE_URL", "postgresql://assent@localhost/assent")
os.environ.setdefault("BROKER_URL", "memory://")
if "ASSENT_HOME" not in os.environ:
    os.environ["ASSENT_HOME"] = tempfile.mkdtemp(prefix="assent-test-")
if _worker := os.environ.get("PYTEST_XDIST_WORKER"):  # tests on several cores: nothing on disk is shared
    _home = Path(os.environ["ASSENT_HOME"]) / _worker
    _home.mkdir(exist_ok=True)
    os.environ["ASSENT_HOME"] = str(_home)
os.environ.setdefault("BUSINESS_NAME", "Northwind Shop")
os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 4)
os.environ.setdefault("SUBJECT_KEY", "5e" * 32)

from governance.settings.base import *  # noqa: F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A busy machine is no outage: tests of an outage shorten the one they are about.
CELL_TIMEOUT_MS = OPA_TIMEOUT_MS = ENGINE_TIMEOUT_MS = 60_000
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Several test runs may share one server.
DATABASES["default"]["TEST"] = {"NAME": f"test_{os.environ.get('ASSENT_TEST_DB', 'assent')}"}  # noqa: F405
# Tests lay rows of registers by the ORM; those of the guard take the name away (tests/helpers/registers.py).
DATABASES["default"]["OPTIONS"]["options"] = "-c assent.writer=tests"  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 (whitenoise warns where it is missing)
