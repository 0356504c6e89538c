"""The banner's own words. A purpose's name, benefit and notice come from the register."""
# ruff: noqa: RUF001 (typographic apostrophes are meant)

LANGUAGES = ("en", "de", "fr", "es")

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "May we use your data?",
        "intro": (
            "You can say no to all of it: the site works just the same. You can change your mind at any time. "
            "Your choice is kept without tracking cookies."
        ),
        "refuse_all": "Refuse all",
        "accept_all": "Accept all",
        "choose": "Choose",
        "save": "Save my choices",
        "read": "Read the notice",
        "reopen": "Privacy choices",
        "withdraw_all": "Turn everything off",
        "gpc": "Your opt-out request was honoured",
        "gpc_detail": "Your browser asks websites not to use your data. We follow it: everything below is off.",
        "gpc_conflict": (
            "What you turn on here counts on this site although your browser says otherwise. "
            "You can turn it off again at any time."
        ),
        "keep_off": "Keep everything off",
        "explicit": "Sensitive data: turn this on only if you expressly agree.",
        "new_title": "Something is new",
        "new_intro": "What you allowed stays as it was. What is new stays off unless you allow it.",
        "refuse_new": "Refuse what is new",
        "accept_new": "Allow what is new",
        "new": "New:",
        "new_all": "All of it:",
        "moved": "The notice changed while this page was open. Please look at it once more.",
        "saving": "Saving …",
        "not_saved": "This could not be saved just now. Everything stays off until it is.",
        "elsewhere": "This was changed in another window. Here is how it stands now.",
        "no_storage": "Your browser keeps nothing for this site: a yes could not be taken back. Everything stays off.",
    },
    "de": {
        "title": "Dürfen wir Ihre Daten nutzen?",
        "intro": (
            "Sie können alles ablehnen: Die Seite funktioniert genauso. Ihre Wahl können Sie jederzeit ändern. "
            "Sie wird ohne Tracking-Cookies gespeichert."
        ),
        "refuse_all": "Alles ablehnen",
        "accept_all": "Alles annehmen",
        "choose": "Auswählen",
        "save": "Auswahl speichern",
        "read": "Hinweis lesen",
        "reopen": "Datenschutz-Auswahl",
        "withdraw_all": "Alles ausschalten",
        "gpc": "Ihr Widerspruch wurde beachtet",
        "gpc_detail": "Ihr Browser bittet Websites, Ihre Daten nicht zu nutzen. Wir folgen dem: Alles hier ist aus.",
        "gpc_conflict": (
            "Was Sie hier einschalten, gilt auf dieser Website, obwohl Ihr Browser etwas anderes sagt. "
            "Sie können es jederzeit wieder ausschalten."
        ),
        "keep_off": "Alles aus lassen",
        "explicit": "Sensible Daten: Schalten Sie dies nur ein, wenn Sie ausdrücklich zustimmen.",
        "new_title": "Es gibt etwas Neues",
        "new_intro": "Was Sie erlaubt haben, bleibt, wie es war. Das Neue bleibt aus, solange Sie es nicht erlauben.",
        "refuse_new": "Neues ablehnen",
        "accept_new": "Neues erlauben",
        "new": "Neu:",
        "new_all": "Alles davon:",
        "moved": "Der Hinweis hat sich geändert, während diese Seite offen war. Bitte sehen Sie ihn noch einmal an.",
        "saving": "Wird gespeichert …",
        "not_saved": "Das konnte gerade nicht gespeichert werden. Bis dahin bleibt alles aus.",
        "elsewhere": "Das wurde in einem anderen Fenster geändert. So ist der Stand jetzt.",
        "no_storage": (
            "Ihr Browser merkt sich für diese Website nichts; ein Ja ließe sich nicht zurücknehmen. Alles bleibt aus."
        ),
    },
    "fr": {
        "title": "Pouvons-nous utiliser vos données ?",
        "intro": (
            "Vous pouvez tout refuser : le site fonctionne de la même façon. Vous pouvez changer d’avis à tout moment. "
            "Votre choix est conservé sans cookies de suivi."
        ),
        "refuse_all": "Tout refuser",
        "accept_all": "Tout accepter",
        "choose": "Choisir",
        "save": "Enregistrer mes choix",
        "read": "Lire la notice",
        "reopen": "Choix de confidentialité",
        "withdraw_all": "Tout désactiver",
        "gpc": "Votre demande d’opposition a été respectée",
        "gpc_detail": (
            "Votre navigateur demande aux sites de ne pas utiliser vos données. Nous le suivons : tout est désactivé."
        ),
        "gpc_conflict": (
            "Ce que vous activez ici vaut sur ce site, bien que votre navigateur dise le contraire. "
            "Vous pouvez le désactiver à tout moment."
        ),
        "keep_off": "Tout laisser désactivé",
        "explicit": "Données sensibles : n’activez ceci que si vous y consentez expressément.",
        "new_title": "Il y a du nouveau",
        "new_intro": (
            "Ce que vous avez autorisé reste tel quel. La nouveauté reste désactivée tant que vous ne l’autorisez pas."
        ),
        "refuse_new": "Refuser la nouveauté",
        "accept_new": "Autoriser la nouveauté",
        "new": "Nouveau :",
        "new_all": "Le tout :",
        "moved": "La notice a changé pendant que cette page était ouverte. Merci de la relire.",
        "saving": "Enregistrement …",
        "not_saved": "Impossible d’enregistrer pour le moment. D’ici là, tout reste désactivé.",
        "elsewhere": "Cela a été modifié dans une autre fenêtre. Voici l’état actuel.",
        "no_storage": (
            "Votre navigateur ne conserve rien pour ce site : un oui ne pourrait pas être retiré. Tout reste désactivé."
        ),
    },
    "es": {
        "title": "¿Podemos usar sus datos?",
        "intro": (
            "Puede rechazarlo todo: el sitio funciona igual. Puede cambiar de opinión en cualquier momento. "
            "Su elección se guarda sin utilizar cookies de seguimiento."
        ),
        "refuse_all": "Rechazar todo",
        "accept_all": "Aceptar todo",
        "choose": "Elegir",
        "save": "Guardar mi elección",
        "read": "Leer el aviso",
        "reopen": "Opciones de privacidad",
        "withdraw_all": "Desactivar todo",
        "gpc": "Se ha respetado su solicitud de exclusión",
        "gpc_detail": "Su navegador pide a los sitios que no usen sus datos. Lo seguimos: todo está desactivado.",
        "gpc_conflict": (
            "Lo que active aquí vale en este sitio aunque su navegador diga lo contrario. "
            "Puede desactivarlo en cualquier momento."
        ),
        "keep_off": "Dejar todo desactivado",
        "explicit": "Datos sensibles: actívelo solo si da su consentimiento expreso.",
        "new_title": "Hay algo nuevo",
        "new_intro": "Lo que usted permitió sigue igual. Lo nuevo queda desactivado mientras no lo permita.",
        "refuse_new": "Rechazar lo nuevo",
        "accept_new": "Permitir lo nuevo",
        "new": "Nuevo:",
        "new_all": "Todo ello:",
        "moved": "El aviso cambió mientras esta página estaba abierta. Mírelo otra vez, por favor.",
        "saving": "Guardando …",
        "not_saved": "No se ha podido guardar ahora. Hasta entonces, todo sigue desactivado.",
        "elsewhere": "Esto se cambió en otra ventana. Así está ahora.",
        "no_storage": (
            "Su navegador no guarda nada para este sitio: un sí no se podría retirar. Todo sigue desactivado."
        ),
    },
}


def nearest(locale: str) -> str:
    """The language to answer in: ``de-AT`` is answered in German, what is not spoken here in English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in TEXTS else LANGUAGES[0]
