"""German, French and Spanish of the demonstration's five purposes: name, benefit, duration and notice."""
# ruff: noqa: E501, RUF001 (typographic apostrophes and the no-break spaces of French are meant)

from dataclasses import dataclass


@dataclass(frozen=True)
class Translation:
    name: str
    benefit: str
    kept_for: str
    notice: str


TRANSLATIONS: dict[str, dict[str, Translation]] = {
    "personalization": {
        "de": Translation(
            "Ein Shop, der Sie ein wenig kennt",
            "Die Seiten sind nach dem geordnet, wonach Sie meist suchen; so müssen Sie weniger blättern.",
            "Bis Sie es ausschalten",
            "Wir ordnen unsere Seiten nach dem, was Sie sich in diesem Shop angesehen, was Sie bewertet und gekauft haben.",
        ),
        "fr": Translation(
            "Une boutique qui vous connaît un peu",
            "Les pages sont disposées selon ce que vous cherchez d’habitude ; vous faites moins défiler.",
            "Jusqu’à ce que vous le désactiviez",
            "Nous disposons nos pages selon ce que vous avez regardé, évalué et acheté dans cette boutique.",
        ),
        "es": Translation(
            "Una tienda que le conoce un poco",
            "Las páginas se ordenan según lo que suele buscar, para que tenga que desplazarse menos.",
            "Hasta que lo desactive",
            "Ordenamos nuestras páginas según lo que ha mirado, valorado y comprado en esta tienda.",
        ),
    },
    "recommendations": {
        "de": Translation(
            "Empfehlungen",
            "Sie sehen, was zu dem passt, was Ihnen bisher gefiel, und warum es jeweils ausgewählt wurde.",
            "Ein Jahr oder bis Sie es ausschalten",
            "Wir speichern ein Jahr lang, was Sie sich hier ansehen, was Sie bewerten und kaufen, und berechnen daraus, "
            "was Ihnen gefallen könnte. Es bleibt bei uns. Sie können es jederzeit ausschalten, und dann löschen wir es.",
        ),
        "fr": Translation(
            "Recommandations",
            "Vous voyez ce qui correspond à ce que vous avez aimé, et pourquoi chaque article a été choisi.",
            "Un an, ou jusqu’à ce que vous le désactiviez",
            "Nous conservons pendant un an ce que vous regardez, évaluez et achetez ici, et nous en déduisons ce qui "
            "pourrait vous plaire. Cela reste chez nous. Vous pouvez le désactiver à tout moment ; nous le supprimons alors.",
        ),
        "es": Translation(
            "Recomendaciones",
            "Ve cosas que encajan con lo que le ha gustado antes, y por qué se ha elegido cada una.",
            "Un año, o hasta que lo desactive",
            "Guardamos durante un año lo que mira, valora y compra aquí, y calculamos con ello lo que puede gustarle. "
            "No sale de nuestra empresa. Puede desactivarlo en cualquier momento y entonces lo eliminamos.",
        ),
    },
    "newsletter": {
        "de": Translation(
            "Newsletter",
            "Ein kurzer Brief mit Neuigkeiten und Angeboten, höchstens zweimal im Monat.",
            "Zwei Jahre oder bis Sie ihn ausschalten",
            "Wir nutzen Ihre E-Mail-Adresse, um Ihnen unseren Newsletter zu senden, über unseren Versanddienst.",
        ),
        "fr": Translation(
            "Lettre d’information",
            "Une courte lettre avec des nouveautés et des offres, au plus deux fois par mois.",
            "Deux ans, ou jusqu’à ce que vous la désactiviez",
            "Nous utilisons votre adresse e-mail pour vous envoyer notre lettre d’information, par notre prestataire d’envoi.",
        ),
        "es": Translation(
            "Boletín",
            "Una carta breve con novedades y ofertas, como máximo dos veces al mes.",
            "Dos años, o hasta que lo desactive",
            "Usamos su dirección de correo electrónico para enviarle nuestro boletín, a través de nuestro servicio de envíos.",
        ),
    },
    "order_fulfilment": {
        "de": Translation(
            "Ihre Bestellungen",
            "Was Sie bestellen, wird verpackt und versandt und kann zurückgegeben werden.",
            "So lange, wie das Gesetz es für Bestellungen verlangt",
            "Wir brauchen Ihre Bestellung, Ihre Anschrift und Ihre E-Mail-Adresse, um zu liefern, was Sie gekauft haben.",
        ),
        "fr": Translation(
            "Vos commandes",
            "Ce que vous commandez est emballé, expédié et peut être retourné.",
            "Aussi longtemps que la loi l’exige pour les commandes",
            "Nous avons besoin de votre commande, de votre adresse et de votre adresse e-mail pour livrer vos achats.",
        ),
        "es": Translation(
            "Sus pedidos",
            "Lo que pide se embala, se envía y se puede devolver.",
            "El tiempo que exija la ley para los pedidos",
            "Necesitamos su pedido, su dirección y su correo electrónico para entregarle lo que ha comprado.",
        ),
    },
    "usage_statistics": {
        "de": Translation(
            "Nutzungsstatistik",
            "Wir sehen, welche Seiten schlecht funktionieren, und bessern sie aus. Nur Summen, nie einzelne Menschen.",
            "90 Tage",
            "Wir zählen Seitenaufrufe, um auszubessern, was schlecht funktioniert. Sie können widersprechen.",
        ),
        "fr": Translation(
            "Statistiques d’utilisation",
            "Nous voyons quelles pages fonctionnent mal et nous les réparons. Des totaux seulement, jamais une personne.",
            "90 jours",
            "Nous comptons les consultations de pages pour réparer ce qui fonctionne mal. Vous pouvez vous y opposer.",
        ),
        "es": Translation(
            "Estadísticas de uso",
            "Vemos qué páginas funcionan mal y las arreglamos. Solo totales, nunca personas concretas.",
            "90 días",
            "Contamos las visitas a las páginas para arreglar lo que funciona mal. Puede oponerse.",
        ),
    },
}
