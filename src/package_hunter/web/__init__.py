"""Pages for people: what needs a person, the evidence, the decision. Each asks the API, as who opens it.

How a page comes about: `page.PageRoute` checks the form's token and turns refusals into pages; the page's function
asks the API's routes inside this process (`inside.ask`), and a template shows the JSON. So a page can show and do
nothing that the API cannot, and permissions, limits and the history are asked in one place alone.
"""

from package_hunter.web.site import Web

__all__ = ["Web"]
