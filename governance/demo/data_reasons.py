"""Why the demonstration's purposes need each kind of data, and what a person gains by it, in four languages."""
# ruff: noqa: RUF001 (typographic apostrophes are meant)

# purpose -> data category -> language -> reason, benefit
DATA_REASONS: dict[str, dict[str, dict[str, tuple[str, str]]]] = {
    "personalization": {
        "views": {
            "en": ("The order of a page follows what you look at.", "You scroll less."),
            "de": ("Die Reihenfolge einer Seite folgt dem, was Sie ansehen.", "Sie müssen weniger blättern."),
            "fr": ("L’ordre d’une page suit ce que vous regardez.", "Vous faites moins défiler."),
            "es": ("El orden de una página sigue lo que mira.", "Se desplaza menos."),
        },
        "purchases": {
            "en": ("What you own already need not stand at the top.", "You see new things first."),
            "de": ("Was Sie schon haben, muss nicht oben stehen.", "Sie sehen Neues zuerst."),
            "fr": ("Ce que vous possédez déjà n’a pas à figurer en haut.", "Vous voyez d’abord les nouveautés."),
            "es": ("Lo que ya tiene no necesita estar arriba.", "Ve primero lo nuevo."),
        },
        "ratings": {
            "en": ("A rating says more clearly than a view what you like.", "What you dislike moves down."),
            "de": (
                "Eine Bewertung sagt klarer als ein Aufruf, was Sie mögen.",
                "Was Sie nicht mögen, rückt nach unten.",
            ),
            "fr": (
                "Une note dit plus clairement qu’une consultation ce que vous aimez.",
                "Ce que vous n’aimez pas descend.",
            ),
            "es": ("Una valoración dice con más claridad que una visita lo que le gusta.", "Lo que no le gusta baja."),
        },
    },
    "recommendations": {
        "views": {
            "en": ("We compare what you looked at with what fits it.", "Suggestions follow your interests."),
            "de": ("Wir vergleichen, was Sie ansahen, mit dem, was dazu passt.", "Vorschläge folgen Ihren Interessen."),
            "fr": (
                "Nous comparons ce que vous avez regardé avec ce qui y correspond.",
                "Les suggestions suivent vos intérêts.",
            ),
            "es": ("Comparamos lo que ha mirado con lo que encaja.", "Las sugerencias siguen sus intereses."),
        },
        "purchases": {
            "en": ("What was bought together shows what belongs together.", "You are not offered what you have."),
            "de": (
                "Was zusammen gekauft wurde, zeigt, was zusammengehört.",
                "Ihnen wird nicht angeboten, was Sie haben.",
            ),
            "fr": (
                "Ce qui a été acheté ensemble montre ce qui va ensemble.",
                "On ne vous propose pas ce que vous avez déjà.",
            ),
            "es": ("Lo que se compra junto muestra lo que va junto.", "No se le ofrece lo que ya tiene."),
        },
        "ratings": {
            "en": ("Your ratings correct what views alone would suggest.", "Suggestions become better when you rate."),
            "de": (
                "Ihre Bewertungen berichtigen, was Aufrufe allein nahelegen.",
                "Vorschläge werden besser, wenn Sie bewerten.",
            ),
            "fr": (
                "Vos notes corrigent ce que les seules consultations laisseraient croire.",
                "Les suggestions s’améliorent quand vous notez.",
            ),
            "es": (
                "Sus valoraciones corrigen lo que sugerirían solo las visitas.",
                "Las sugerencias mejoran cuando valora.",
            ),
        },
    },
    "newsletter": {
        "email_address": {
            "en": ("A letter by e-mail needs an address.", "It reaches you, and you can end it in each letter."),
            "de": (
                "Ein Brief per E-Mail braucht eine Adresse.",
                "Er erreicht Sie, und Sie können ihn in jedem Brief beenden.",
            ),
            "fr": (
                "Une lettre par e-mail a besoin d’une adresse.",
                "Elle vous parvient, et chaque lettre permet d’y mettre fin.",
            ),
            "es": (
                "Una carta por correo electrónico necesita una dirección.",
                "Le llega, y puede terminarla en cada carta.",
            ),
        }
    },
    "order_fulfilment": {
        "purchases": {
            "en": ("The order says what has to be packed.", "You get what you ordered and can return it."),
            "de": (
                "Die Bestellung sagt, was zu packen ist.",
                "Sie bekommen, was Sie bestellt haben, und können es zurückgeben.",
            ),
            "fr": (
                "La commande indique ce qu’il faut emballer.",
                "Vous recevez ce que vous avez commandé et pouvez le retourner.",
            ),
            "es": ("El pedido dice qué hay que embalar.", "Recibe lo que ha pedido y puede devolverlo."),
        },
        "postal_address": {
            "en": ("The carrier has to know where the parcel goes.", "The parcel arrives at your door."),
            "de": ("Der Paketdienst muss wissen, wohin das Paket geht.", "Das Paket kommt an Ihre Tür."),
            "fr": ("Le transporteur doit savoir où va le colis.", "Le colis arrive à votre porte."),
            "es": ("El transportista debe saber adónde va el paquete.", "El paquete llega a su puerta."),
        },
        "email_address": {
            "en": ("We confirm the order and announce the parcel.", "You know when it comes."),
            "de": ("Wir bestätigen die Bestellung und kündigen das Paket an.", "Sie wissen, wann es kommt."),
            "fr": ("Nous confirmons la commande et annonçons le colis.", "Vous savez quand il arrive."),
            "es": ("Confirmamos el pedido y anunciamos el paquete.", "Sabe cuándo llega."),
        },
    },
    "usage_statistics": {
        "views": {
            "en": ("Only counts of views show which pages work badly.", "Pages that work badly are repaired."),
            "de": (
                "Nur gezählte Aufrufe zeigen, welche Seiten schlecht funktionieren.",
                "Seiten, die schlecht funktionieren, werden ausgebessert.",
            ),
            "fr": (
                "Seul le nombre de consultations montre quelles pages fonctionnent mal.",
                "Les pages qui fonctionnent mal sont réparées.",
            ),
            "es": (
                "Solo el número de visitas muestra qué páginas funcionan mal.",
                "Las páginas que funcionan mal se arreglan.",
            ),
        }
    },
}
