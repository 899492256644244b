"""The environment variables by which a server is told what it shall be like.

They are apart from :mod:`mpe.local.server`, which loads all that it serves.
"""

from __future__ import annotations

WATCHED = "MPE_LOCAL_PARENT"
"""The process without which the server shall not live."""
RELEASED = "MPE_LOCAL_RELEASED"
"""The file that, once it is there, lets it live on alone."""
SECRET = "MPE_LOCAL_SECRET"
"""The secret of this start."""
QUOTAS = "MPE_LOCAL_QUOTAS"
"""The service's quotas, as JSON."""
DURATIONS = "MPE_LOCAL_DURATIONS"
"""What things take, in the service's seconds, as JSON."""
