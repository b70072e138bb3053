"""Qualifications by name, and who holds them."""

from collections.abc import Sequence

from ...roles import Role
from ..endpoint import Endpoint, Query
from ..parameters import PAGE
from ..qualifications import (
    create_qualification,
    delete_qualification,
    list_holders,
    list_qualifications,
    show_qualification,
)
from ..shapes.qualifications import (
    DeletedQualificationView,
    HoldersView,
    QualificationBody,
    QualificationDetailsView,
    QualificationsView,
    QualificationView,
)

NAME = Query("name", str, "A qualification's name.", needed=True)

QUALIFICATIONS: Sequence[Endpoint] = (
    Endpoint("GET", "/qualifications", Role.VIEW, list_qualifications, QualificationsView),
    Endpoint(
        "POST",
        "/qualifications",
        Role.OPERATE,
        create_qualification,
        QualificationView,
        status=201,
        body=QualificationBody,
    ),
    Endpoint(
        "GET",
        "/qualification",
        Role.VIEW,
        show_qualification,
        QualificationDetailsView,
        query=(NAME,),
        also=(404,),
    ),
    Endpoint(
        "DELETE",
        "/qualification",
        Role.PAY,
        delete_qualification,
        DeletedQualificationView,
        query=(NAME,),
        also=(404,),
    ),
    Endpoint(
        "GET",
        "/qualification/workers",
        Role.VIEW,
        list_holders,
        HoldersView,
        query=(NAME, *PAGE),
        also=(404,),
    ),
)
