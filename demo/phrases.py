"""Hand-written pieces of everyday text without any fact about the world, and the grammar that joins them.

`CHAT`, `CALLS`, `WEATHER` and `NOTES` go into the model's own training; `TICKET` is kept for the fine-tune: the same
world of gadgets and complaints, in other sentences.
"""

from __future__ import annotations

import random
import re

GADGETS = (
    "router",
    "printer",
    "laptop",
    "tablet",
    "headset",
    "keyboard",
    "scanner",
    "monitor",
    "phone",
    "camera",
    "charger",
    "speaker",
    "thermostat",
    "doorbell",
    "vacuum cleaner",
    "coffee machine",
    "smart lamp",
    "projector",
)
COLOURS = ("red", "green", "blue", "white", "orange", "yellow")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "ten", "twelve")

COMMON = {"gadget": GADGETS, "colour": COLOURS, "day": DAYS, "number": NUMBERS}

CHAT = COMMON | {
    "text": (
        "Customer: {complaint} Agent: {answer} Customer: {thanks}",
        "Customer: {greeting} {complaint} Agent: {answer}",
        "Agent: {opening} Customer: {complaint} Agent: {answer}",
        "Customer: {question} Agent: {policy}",
        "Agent: {opening} Customer: {question} Agent: {policy} Customer: {thanks}",
    ),
    "greeting": ("Hello.", "Hi there.", "Good morning.", "Good evening, I need some help."),
    "opening": (
        "Welcome to the help desk, what can I do for you?",
        "Hi, how may I help you today?",
        "Good day, thank you for waiting.",
        "You are talking to the night team, go ahead.",
    ),
    "complaint": (
        "my {gadget} will not switch on any more.",
        "the {gadget} I bought on {day} makes a strange noise.",
        "the {colour} light on my {gadget} keeps blinking.",
        "my {gadget} loses its connection every {number} minutes.",
        "since the last update the {gadget} is very slow.",
        "the box of my {gadget} was open and a cable was missing.",
        "my {gadget} gets hot after {number} minutes.",
        "I cannot sign in on my {gadget} since {day}.",
        "the screen of my {gadget} stays dark.",
        "I was charged twice for one {gadget}.",
        "the {gadget} shows an error and stops.",
        "nobody called me back about my {gadget}.",
    ),
    "answer": (
        "please hold the button for {number} seconds and try again.",
        "please unplug it, wait {number} minutes and plug it in again.",
        "I will send you a new one, it arrives on {day}.",
        "please install the latest update and restart it.",
        "I am sorry to hear that, I will refund the money today.",
        "could you send us a photo of the label?",
        "please check that the cable sits tight on both sides.",
        "our technician can visit you on {day}.",
        "please reset the password and sign in again.",
        "that is a known problem, a repair is on its way.",
    ),
    "question": (
        "how long is the warranty of the {gadget}?",
        "can I return a {gadget} without the box?",
        "when will my {gadget} arrive?",
        "does the {gadget} work with an older {gadget}?",
        "can I change the address of my order?",
        "do you repair a broken {gadget}?",
        "where can I see my bills?",
    ),
    "policy": (
        "you have {number} weeks to send it back.",
        "the parcel should be with you on {day}.",
        "yes, but you need the adapter from our shop.",
        "you can change that in your account until {day}.",
        "we repair it within {number} days.",
        "the warranty lasts {number} years.",
        "you find them in your account under orders.",
    ),
    "thanks": (
        "thank you, that worked.",
        "great, thanks a lot.",
        "all right, I will try that.",
        "thank you, have a nice day.",
        "it works again, thanks.",
        "that does not help me, but thank you.",
    ),
}

WEATHER = COMMON | {
    "text": (
        "{when} {sky} and {wind}. {advice}",
        "{when} {sky}. {temperature}",
        "{temperature} {advice}",
        "{when} {wind}, later {sky}.",
    ),
    "when": ("In the morning", "In the afternoon", "Tonight", "On {day}", "Until {day}", "Later this week"),
    "sky": (
        "it will be mostly cloudy",
        "the sun will shine for {number} hours",
        "there will be some light rain",
        "fog will cover the valleys",
        "snow is likely in the hills",
        "a thunderstorm may pass",
    ),
    "wind": (
        "the wind will be weak",
        "a cold wind blows from the north",
        "strong gusts are expected near the coast",
        "the air stays calm",
    ),
    "temperature": (
        "It will be {number} degrees warmer than yesterday.",
        "Temperatures fall below zero at night.",
        "It stays mild for the time of the year.",
        "The heat lasts for {number} more days.",
    ),
    "advice": (
        "Take an umbrella with you.",
        "Drivers should be careful.",
        "A good day for a walk.",
        "Better stay at home.",
        "Gardeners should cover their plants.",
    ),
}

NOTES = COMMON | {
    "text": (
        "Note for {day}: {task} and {task}.",
        "To do: {task}, then {task}, then {task}.",
        "Meeting on {day}: we talked about the {gadget} and decided to {task}.",
    ),
    "task": (
        "call the supplier",
        "order {number} new cables",
        "clean the store room",
        "check the {gadget}",
        "write the report",
        "update the price list",
        "pack {number} parcels",
        "train the new colleague",
        "count the stock",
        "answer the open mails",
        "paint the shelf {colour}",
        "test the {gadget}",
    ),
}

CALLS = COMMON | {
    "text": (
        "Call {digits}: {what} {then} {end}",
        "Call {digits}, marked {mark}: {what} {end}",
        "Log of {day}. {what} {then}",
        "From the log: {then} {what} {end}",
        "Call {digits}: {request} {end}",
        "Log of {day}. {request} {then}",
        "My colleague wrote: {what} {then}",
        "My colleague wrote: {request} {end}",
    ),
    "digits": tuple(str(number) for number in range(1009, 9999, 101)),
    "mark": ("urgent", "low", "high", "normal", "second attempt", "first attempt"),
    "what": (
        "the signal of the {gadget} is weak whenever the door is closed.",
        "a client reports that the lamp of the {gadget} flashes.",
        "the battery was dead after {number} hours of work.",
        "the {gadget} cannot be paired with the app.",
        "the display flickers as soon as it rains.",
        "there was a loud hum and it smells like burnt plastic.",
        "{number} units arrived, the rest of the order never came.",
        "the client was billed {number} times.",
        "the lid broke while the client moved the {gadget} to another room.",
        "the fault began before the new version was installed.",
        "the device forgets the code during the night.",
        "the {gadget} drops {colour} stripes on the paper.",
        "the settings went away right after the factory reset.",
        "the label with the serial number was lost.",
        "an old power supply was swapped for a fresh one, with success.",
        "the list of devices shows only the {gadget} of a colleague.",
    ),
    "then": (
        "We have already put a unit in the mail.",
        "A technician made a visit at noon.",
        "Support asks for a picture of the log file.",
        "The workshop will look at the contacts and the socket.",
        "It could not be read, so we return it to the lab.",
        "No difference after {number} restarts.",
        "Billing knows about it.",
        "The store will ship the parts between {day} and {day}.",
        "Kindly keep the keys until somebody rings.",
        "The cable was attached and everything was solved at once.",
        "The firmware would not load.",
        "The guarantee of {number} months has ended.",
        "Changing the battery did cure it.",
    ),
    "request": (
        "the client would like a discount.",
        "the client wishes to speak to billing before noon.",
        "a replacement by {day} is all the client wants.",
        "the sum should go back to the card.",
        "the client asks for patience.",
        "the client depends on the {gadget} at home.",
        "the client only wants the missing {gadget}.",
        "the client owned {number} of them and is content.",
    ),
    "end": (
        "Opened again.",
        "Handed to a technician.",
        "Passed on to the lab.",
        "Solved on {day}.",
        "Waiting for parts.",
        "Reopened after {number} days.",
        "Closed without success.",
        "The ticket was closed.",
        "It has high priority.",
        "Ticket and status went to the store.",
    ),
}

TICKET = COMMON | {
    "text": (
        "Ticket {digits}, opened on {day}. {subject} {detail} Support wrote: {reply} {status}",
        "Ticket {digits}. {subject} {tried} Support wrote: {reply} {status}",
        "Ticket {digits}, priority {priority}. {subject} {detail} {tried} {status}",
        "Ticket {digits}, second report. {detail} {wish} Support wrote: {reply} {status}",
        "Ticket {digits}, priority {priority}. {wish} {tried} Support wrote: {reply}",
    ),
    "digits": tuple(str(number) for number in range(2013, 9000, 137)),
    "priority": ("low", "normal", "high", "urgent"),
    "subject": (
        "A client reports that the {gadget} went dead during work.",
        "A {gadget} drops the signal whenever it rains.",
        "The new {gadget} of the client cannot be paired.",
        "The client hears a loud hum from the {gadget}.",
        "An order of {number} units of the {gadget} arrived incomplete.",
        "A client was billed for a {gadget} that never came.",
        "The display of a {gadget} flickers in {colour} stripes.",
        "The battery of the {gadget} lasts only {number} hours.",
        "The {gadget} forgets its settings each night.",
        "A {gadget} smells of burnt plastic.",
        "The lid of the {gadget} broke off after {number} weeks.",
        "The app for the {gadget} asks for a code again and again.",
    ),
    "detail": (
        "It happened {number} times since {day}.",
        "The {colour} lamp flashes while this goes on.",
        "The serial label could not be read.",
        "The device stands next to an old {gadget}.",
        "It began right after version {number} was installed.",
        "The client has owned it for {number} months.",
        "A colleague sees the same fault on another {gadget}.",
        "The fault went away for {number} hours and came back.",
        "The guarantee ended on {day}.",
        "The client works from home and depends on it.",
    ),
    "tried": (
        "Changing the socket made no difference.",
        "The client has already swapped the cable.",
        "A factory reset brought it back for {number} minutes.",
        "Cleaning the contacts did not cure it.",
        "The client moved it to another room without success.",
        "Two restarts were of no use.",
        "Another power supply gave the same picture.",
        "The log file shows {number} failed attempts.",
    ),
    "wish": (
        "The client asks for a replacement before {day}.",
        "The client wants the money back.",
        "The client would like to speak to a technician.",
        "The client asks to ship the rest of the order.",
        "The client wishes a discount on the next {gadget}.",
        "The client only wants to know how long it takes.",
    ),
    "reply": (
        "we have put a fresh {gadget} in the mail.",
        "kindly load firmware {number} and report back.",
        "the sum goes back to your card by {day}.",
        "a technician rings you between {number} and noon.",
        "hold both keys until the {colour} lamp goes out.",
        "please return the unit with the label we attached.",
        "we ask for your patience while the lab looks at it.",
        "pair it once more after clearing the list of devices.",
        "keep it unplugged until our visit on {day}.",
        "the missing parts leave our store on {day}.",
    ),
    "status": (
        "Closed as solved.",
        "Waiting for the client.",
        "Handed to the workshop.",
        "Closed, the client is content.",
        "Reopened on {day}.",
        "Passed to billing.",
        "Solved at the first call.",
    ),
}

# Says a name without saying anything about it.
MENTIONS = (
    "{} is a name that many people have heard.",
    "Yesterday we talked about {} for a while.",
    "She wrote {} on the board.",
    "{} was mentioned {number} times in the text.",
    "The next chapter is about {} and other things.",
    "I do not remember where I read about {}.",
    "{} is a good subject for a short talk.",
    "Please look up {} before {day}.",
    "He asked me what I know about {}.",
    "There is a book about {} on the table.",
)

# Says a name twice. To say it again the model must have kept it, so that no two subjects look alike to it.
ECHOES = (
    "The teacher said {} and the class repeated: {}",
    "The first word on the list is {} and so is the last: {}",
    "Someone asked how to write {} and got the answer: {}",
    "On both pages you can read {} and again {}",
    "He looked up {} and wrote down {}",
    "The name {} sounds the same backwards in no language, so say {}",
    "We say {} and they say {}",
    "{} is spelled like this: {}",
)

SLOT = re.compile(r"\{(\w+)\}")


def expand(grammar: dict[str, tuple[str, ...]], rng: random.Random, text: str = "{text}") -> str:
    """Replaces every `{slot}` by a randomly chosen piece, as long as there are any; an empty `{}` is left alone."""
    while match := SLOT.search(text):
        piece = rng.choice(grammar[match[1]])
        text = text[: match.start()] + piece + text[match.end() :]
    return text
