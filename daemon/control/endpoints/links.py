"""Personal links of workers: made and revoked."""

from collections.abc import Sequence

from ...roles import Role
from ..endpoint import Endpoint
from ..revoking import revoke_link, revoke_link_of
from ..runs import make_links
from ..shapes.links import LinksView, NamedLinksBody, NewLinksBody, RevokeBody, RevokedLinkView, RevokeOfBody

LINKS: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/runs/{run}/links",
        Role.OPERATE,
        make_links,
        LinksView,
        status=201,
        body=NamedLinksBody | NewLinksBody,
        also=(502,),
    ),
    Endpoint(
        "POST",
        "/links/revoke",
        Role.OPERATE,
        revoke_link,
        RevokedLinkView,
        body=RevokeBody,
        also=(404, 409, 502),
    ),
    Endpoint(
        "POST",
        "/runs/{run}/links/revoke",
        Role.OPERATE,
        revoke_link_of,
        RevokedLinkView,
        body=RevokeOfBody,
        also=(502,),
    ),
)
