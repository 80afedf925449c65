"""Serves `/_sim/limits`: what is allowed, and what the callers did."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from simkit.limits import Limit, Limits, Meter


class LimitSetting(BaseModel):
    """Describe a limit; without shop or group it is for all."""

    model_config = ConfigDict(extra="forbid")

    requests_per_second: float = Field(gt=0, le=1_000_000, allow_inf_nan=False)
    burst: int = Field(ge=1, le=1_000_000)
    shop: str | None = None
    group: str | None = None


def _meter_json(meter: Meter, limit: Limit) -> dict[str, object]:
    return {
        "shop": meter.shop,
        "group": meter.group,
        "requests_per_second": limit.requests_per_second,
        "burst": limit.burst,
        "accepted": meter.accepted,
        "refused": meter.refused,
        "smallest_gap_seconds": meter.smallest_gap_seconds,
        "most_in_one_second": meter.most_in_one_second,
    }


def limit_routes(limits: Limits) -> APIRouter:
    """Make the routes that show and set limits."""
    router = APIRouter(tags=["limits"])

    def show() -> dict[str, object]:
        return {
            "limits": [
                {"shop": shop, "group": group, "requests_per_second": limit.requests_per_second, "burst": limit.burst}
                for (shop, group), limit in limits.list().items()
            ],
            "groups": [_meter_json(meter, limits.find(meter.shop, meter.group)) for meter in limits.meters()],
        }

    @router.get("/_sim/limits")
    async def show_limits() -> dict[str, object]:
        """Show limits and counts; `refused` over zero is a caller that broke the limit."""
        return show()

    @router.put("/_sim/limits")
    async def set_limit(setting: LimitSetting) -> dict[str, object]:
        """Put a limit in force at once; tokens that are left stay."""
        limits.set(Limit(setting.requests_per_second, setting.burst), setting.shop, setting.group)
        return show()

    @router.delete("/_sim/limits/counts", status_code=204)
    async def clear_counts() -> None:
        """Start counting anew; limits and tokens stay."""
        limits.clear_meters()

    return router
