"""The base of every JSON body: an unknown field is an error, as in a profile."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """What a request says."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
