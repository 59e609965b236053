"""Both sides of transfers on one reader: a hospital's topic carries offers to it and answers to its own offers."""

from consumers.receiving_hospital.desk import ReceivingDesk
from consumers.transfer_answers.recorder import AnswerRecorder
from consumers.transfer_message import TransferMessage
from consumers.waiting_room import NotNow, WaitEnd


class BothSides:
    """Gives every message to both; each takes what is its business."""

    def __init__(self, desk: ReceivingDesk, recorder: AnswerRecorder) -> None:
        self._desk = desk
        self._recorder = recorder

    async def handle(self, message: TransferMessage) -> None:
        """See ReceivingDesk.handle and AnswerRecorder.handle."""
        await self._desk.handle(message)
        await self._recorder.handle(message)

    async def give_up(self, message: TransferMessage, end: WaitEnd, later: NotNow) -> bool:
        """See ReceivingDesk.give_up and AnswerRecorder.give_up."""
        return await self._desk.give_up(message, end, later) or await self._recorder.give_up(message, end, later)
