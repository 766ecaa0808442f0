from django.urls import path

from . import journal

urlpatterns = [
    path("journal", journal.JournalView.as_view()),
]
