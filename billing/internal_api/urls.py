from django.urls import path

from . import changes, zones

urlpatterns = [
    path("changes", changes.ChangesView.as_view()),
    path("changes/preview", changes.ChangePreviewView.as_view()),
    path("workflows/<id:workflow_id>", changes.WorkflowView.as_view()),
    path("zones/<id:moved_id>/move", zones.ZoneMoveView.as_view()),
]
