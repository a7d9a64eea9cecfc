"""Evidence of a scan as components: a model each, and a macro that draws it (templates/evidence/). The HTML report and
the server's pages use the same; none needs a script, an inline style or anything from elsewhere."""

from package_hunter.report.evidence.render import STYLE, TEMPLATES, install
from package_hunter.report.evidence.scan import Exhibits

__all__ = ["STYLE", "TEMPLATES", "Exhibits", "install"]
