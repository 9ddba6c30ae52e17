"""The bytes of a package. Pure: file names and contents in, one zip out.

Lambda, the manifest and both regions know a package by the SHA-256 of these bytes, so nothing but
the names and contents of the files may show in them: not the clock, the umask, the folder, the
order of a directory listing, or the machine. The files are stored, not deflated: what deflate
makes of the same bytes depends on the zlib at hand (zlib, zlib-ng, the system's version).
"""

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say
_REGULAR_0644 = (
    0o100644 << 16
)  # Lambda must be able to read; nothing in a package is run by a shell
_UNIX = 3


def archive(files: Mapping[str, bytes]) -> bytes:
    """Zip `files` (name in the archive to content), the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = _UNIX
            info.external_attr = _REGULAR_0644
            zipped.writestr(info, files[name])
    return out.getvalue()
