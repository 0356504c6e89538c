"""``python -m governance.launcher``: what the ``assent`` script hands over to."""

from governance.launcher.cli import main

raise SystemExit(main())
