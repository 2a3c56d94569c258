"""The workspace and the town of the journeys, and both databases."""

from tests.journeys.conftest import life as life
from tests.journeys.conftest import workspace as workspace
from tests.storage.conftest import backend as backend
from tests.storage.conftest import database as database
from tests.storage.conftest import url as url
