from unfold.sites import UnfoldAdminSite


class NinjaPanel(UnfoldAdminSite):
    """The support console."""

    site_title = "NinjaPanel"
    site_header = "NinjaPanel"
