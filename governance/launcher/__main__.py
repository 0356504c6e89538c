"""Entry point ``python -m governance.launcher``, to which the ``assent`` script hands over."""

from governance.launcher.cli import main

raise SystemExit(main())
