"""Sphinx's settings; ``make.py`` copies this folder, writes the generated pages and builds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate import gallery, hooks

import latentia

project = "Latentia"
author = "Latentia contributors"
copyright = author  # noqa: A001
version = release = latentia.__version__
language = os.environ.get("LATENTIA_SITE_LANGUAGE", "en")
extensions = ["myst_parser"]
if language == "en":
    extensions += ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_gallery.gen_gallery"]
    sphinx_gallery_conf = gallery.settings(HERE)
    napoleon_use_rtype = False
    autodoc_typehints = "none"
    autodoc_member_order = "bysource"
    autodoc_class_signature = "separated"
exclude_patterns = [
    "_examples",
    "_extra",
    "generate",
    "examples/sg_execution_times.rst",
    "sg_execution_times.rst",
]
templates_path = ["_templates"]
locale_dirs = ["locales"]
gettext_compact = False
gettext_location = False
html_search_language = "en"
default_role = "code"
nitpicky = False
suppress_warnings = ["config.cache", "myst.header"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Latentia {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_extra_path = [path.name for path in HERE.glob("_extra")]
html_show_sphinx = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1257a6", "color-brand-content": "#1257a6"},
    "dark_css_variables": {"color-brand-primary": "#84b9ff", "color-brand-content": "#84b9ff"},
}

setup = hooks.setup
