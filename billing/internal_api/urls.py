from django.urls import path

from . import changes

urlpatterns = [
    path("changes", changes.ChangesView.as_view()),
    path("changes/preview", changes.ChangePreviewView.as_view()),
    path("workflows/<id:workflow_id>", changes.WorkflowView.as_view()),
]
