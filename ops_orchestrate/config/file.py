"""The one TOML file that settings may stand in: what is wrong in it is named with the file and the key."""

from __future__ import annotations

import os

from pydantic_settings import BaseSettings, TomlConfigSettingsSource

from ops_orchestrate.config.places import toml_file
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.errors import UsageError


def toml_source(settings_cls: type[BaseSettings]) -> TomlConfigSettingsSource:
    """The TOML file, if there is one. Raises UsageError for one that is not TOML, is missing, or has an unknown key."""
    path = toml_file()
    if os.environ.get("OPS_CONFIG") and not path.is_file():
        raise UsageError(f"{path}, which OPS_CONFIG names, is no file.")
    try:
        source = TomlConfigSettingsSource(settings_cls, toml_file=path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    unknown = next((key for key in source.toml_data if key not in settings_cls.model_fields), None)
    if unknown is not None:
        near = did_you_mean(unknown, settings_cls.model_fields)
        raise UsageError(f"{path}: {one_line(unknown, 60)!r} is not a setting.{near}")
    return source
