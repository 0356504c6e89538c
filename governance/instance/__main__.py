"""``python -m governance.instance``: what the ``assent`` script hands over to."""

from governance.instance.cli import main

raise SystemExit(main())
