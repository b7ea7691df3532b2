"""The standing replies, and the words that bridge a wait, where an agent's file has none.

Beside the English ones none names whom it connects to: that would take the name's other cases.
"""

from collections.abc import Mapping

from opensip.agent.tongues import primary

REPLIES = {
    "not_understood": "Sorry, I did not understand that.",
    "still_there": "Are you still there?",
    "nobody": "I cannot hear you, so I will end this call. Goodbye.",
    "escalate": "One moment please, I am connecting you to {who}.",
    "apology": "I am sorry, something went wrong on our side.",
    "confirm": "Let me make sure: {what}. Please say yes or no: shall I do that?",
    "confirm_again": "Sorry, was that a yes or a no? {what}. Shall I do that?",
    "transfer_failed": "I am sorry, I could not reach {who}.",
    "resume": "Is there something else I can help you with?",
    "goodbye": "Goodbye.",
    "call_again": "Please call again later. Goodbye.",
    "too_long": "I have to end this call now. Goodbye.",
}
_OTHERS: Mapping[str, tuple[str, ...]] = {  # in the order of REPLIES
    "de": (
        "Entschuldigung, das habe ich nicht verstanden.",
        "Sind Sie noch da?",
        "Ich kann Sie nicht hören und beende deshalb das Gespräch. Auf Wiederhören.",
        "Einen Moment bitte, ich verbinde Sie.",
        "Es tut mir leid, bei uns ist etwas schiefgegangen.",
        "Nur zur Sicherheit: {what}. Bitte sagen Sie ja oder nein: Soll ich das tun?",
        "Entschuldigung, war das ein Ja oder ein Nein? {what}. Soll ich das tun?",
        "Es tut mir leid, dort war niemand zu erreichen.",
        "Kann ich sonst noch etwas für Sie tun?",
        "Auf Wiederhören.",
        "Bitte rufen Sie später noch einmal an. Auf Wiederhören.",
        "Ich muss das Gespräch jetzt beenden. Auf Wiederhören.",
    ),
    "fr": (
        "Excusez-moi, je n'ai pas compris.",
        "Êtes-vous toujours là ?",
        "Je ne vous entends pas, je vais donc mettre fin à l'appel. Au revoir.",
        "Un instant, s'il vous plaît, je vous mets en relation.",
        "Je suis désolé, un problème est survenu de notre côté.",
        "Juste pour être sûr : {what}. Répondez par oui ou par non : dois-je le faire ?",
        "Excusez-moi, était-ce un oui ou un non ? {what}. Dois-je le faire ?",
        "Je suis désolé, personne n'a pu être joint.",
        "Puis-je vous aider pour autre chose ?",
        "Au revoir.",
        "Veuillez rappeler plus tard. Au revoir.",
        "Je dois mettre fin à cet appel maintenant. Au revoir.",
    ),
    "es": (
        "Perdone, no le he entendido.",
        "¿Sigue ahí?",
        "No puedo oírle, así que voy a terminar la llamada. Adiós.",
        "Un momento, por favor, le paso.",
        "Lo siento, algo ha fallado por nuestra parte.",
        "Para estar seguros: {what}. Diga sí o no, por favor: ¿lo hago?",
        "Perdone, ¿ha sido un sí o un no? {what}. ¿Lo hago?",
        "Lo siento, no he podido localizar a nadie.",
        "¿Puedo ayudarle en algo más?",
        "Adiós.",
        "Por favor, vuelva a llamar más tarde. Adiós.",
        "Tengo que terminar la llamada ahora. Adiós.",
    ),
    "it": (
        "Mi scusi, non ho capito.",
        "È ancora in linea?",
        "Non riesco a sentirla, quindi chiudo la chiamata. Arrivederci.",
        "Un momento, per favore, la metto in contatto.",
        "Mi dispiace, qualcosa è andato storto da parte nostra.",
        "Solo per essere sicuri: {what}. Risponda sì o no: devo farlo?",
        "Mi scusi, era un sì o un no? {what}. Devo farlo?",
        "Mi dispiace, non è stato possibile raggiungere nessuno.",
        "Posso aiutarla in qualcos'altro?",
        "Arrivederci.",
        "La preghiamo di richiamare più tardi. Arrivederci.",
        "Ora devo chiudere la chiamata. Arrivederci.",
    ),
    "nl": (
        "Sorry, dat heb ik niet verstaan.",
        "Bent u er nog?",
        "Ik kan u niet horen, dus ik beëindig het gesprek. Tot ziens.",
        "Een moment alstublieft, ik verbind u door.",
        "Het spijt me, er is bij ons iets misgegaan.",
        "Voor de zekerheid: {what}. Zegt u alstublieft ja of nee: zal ik dat doen?",
        "Sorry, was dat een ja of een nee? {what}. Zal ik dat doen?",
        "Het spijt me, ik kon niemand bereiken.",
        "Kan ik u nog ergens anders mee helpen?",
        "Tot ziens.",
        "Belt u later nog eens terug. Tot ziens.",
        "Ik moet dit gesprek nu beëindigen. Tot ziens.",
    ),
    "pl": (
        "Przepraszam, nie zrozumiałem tego.",
        "Czy nadal jest ktoś przy telefonie?",
        "Nic nie słyszę, więc kończę rozmowę. Do widzenia.",
        "Chwileczkę, już łączę.",
        "Przepraszam, coś poszło nie tak po naszej stronie.",
        "Dla pewności: {what}. Proszę powiedzieć tak lub nie: czy mam to zrobić?",
        "Przepraszam, czy to było tak, czy nie? {what}. Czy mam to zrobić?",
        "Przepraszam, nikogo nie udało się zastać.",
        "Czy mogę jeszcze w czymś pomóc?",
        "Do widzenia.",
        "Proszę zadzwonić później. Do widzenia.",
        "Muszę teraz zakończyć tę rozmowę. Do widzenia.",
    ),
    "pt": (
        "Desculpe, não entendi.",
        "Ainda está aí?",
        "Não consigo ouvir, por isso vou terminar a chamada. Até à próxima.",
        "Um momento, por favor, vou transferir a chamada.",
        "Lamento, algo correu mal do nosso lado.",
        "Só para confirmar: {what}. Diga sim ou não, por favor: devo fazer isso?",
        "Desculpe, foi um sim ou um não? {what}. Devo fazer isso?",
        "Lamento, não foi possível contactar ninguém.",
        "Posso ajudar em mais alguma coisa?",
        "Até à próxima.",
        "Por favor, ligue mais tarde. Até à próxima.",
        "Tenho de terminar a chamada agora. Até à próxima.",
    ),
}
# Short, since an answer that is there waits until a filler is over.
FILLERS: Mapping[str, tuple[str, ...]] = {
    "en": ("One moment.", "Still looking."),
    "de": ("Einen Moment.", "Noch einen Moment."),
    "fr": ("Un instant.", "Encore un instant."),
    "es": ("Un momento.", "Un momento más."),
    "it": ("Un momento.", "Ancora un momento."),
    "nl": ("Een moment.", "Nog een moment."),
    "pl": ("Chwileczkę.", "Jeszcze chwilę."),
    "pt": ("Um momento.", "Só mais um momento."),
}
_BY_LANGUAGE = {
    "en": REPLIES,
    **{tongue: dict(zip(REPLIES, texts, strict=True)) for tongue, texts in _OTHERS.items()},
}


def known(language: str) -> bool:
    """Tell whether there are standing replies in a language."""
    return primary(language) in _BY_LANGUAGE


def reply(name: str, language: str) -> str:
    """Tell a standing reply in a language, in English where there is none."""
    return _BY_LANGUAGE.get(primary(language), REPLIES)[name]


def fillers(language: str) -> tuple[str, ...]:
    """Tell what bridges a wait in a language, or nothing."""
    return FILLERS.get(primary(language), ())
