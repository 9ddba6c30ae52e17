"""Entry point of `cfn-lint --append-rules <this folder>`: the one file the linter loads by itself.

cfn-lint loads each file of a rules folder that does not start with an underscore, alone and
outside any package, so such a file can neither use relative imports nor count on `tap_templates`
being installed. Here, in one place, the folder is therefore made a package under a name that
nobody else uses. `sys.path` is left alone, and the files used are those of this folder even where
another version of `tap_templates` is installed.
"""

import sys
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def _package() -> str:
    """Return the name under which this folder is importable, after making it so if needed."""
    if __package__:  # imported as tap_templates.rules.plugin
        return __package__
    folder = Path(__file__).resolve().parent
    name = f"tap_rules_{sha256(bytes(folder)).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder}/__init__.py: cannot be loaded; copy the whole folder")
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return name


globals().update({rule.__name__: rule for rule in import_module(_package()).rule_classes()})
