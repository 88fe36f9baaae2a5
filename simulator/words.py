"""What callers say, in Indonesian above all and in English."""

from __future__ import annotations

from contracts import Hazard

NOTES: dict[Hazard, tuple[str, ...]] = {
    Hazard.FIRE: (
        "Ada api besar di pinggir jalan dekat {place}, asapnya hitam",
        "Kebakaran! Tumpukan barang terbakar di {place}, tolong damkar",
        "Api makin besar dekat ruko {place}, takut merembet",
        "Saya lihat asap tebal dari arah {place}",
        "Kios di {place} kebakar Pak, orang-orang pada lari keluar",
        "There is a fire by the road at {place}, it is getting bigger",
        "Bak sampah terbakar di {place}, apinya sudah tinggi",
        "Thick black smoke near {place}, I can see flames",
    ),
    Hazard.CRASH: (
        "Tabrakan motor sama mobil di {place}, ada yang luka",
        "Kecelakaan beruntun dekat {place}, jalan macet",
        "Mobil nabrak dari belakang di {place}, sopirnya belum keluar",
        "Ada yang jatuh dari motor di {place}, kepalanya berdarah",
        "Two cars crashed at {place}, someone is hurt",
        "A car hit a motorbike near {place}, the rider is on the ground",
    ),
    Hazard.FLOOD: (
        "Banjir sudah selutut di {place}, motor mogok",
        "Air masuk ke rumah dekat {place}, tolong",
        "Jalan di {place} tergenang, mobil tidak bisa lewat",
        "Airnya naik terus di {place}, ada lansia di rumah",
        "The street is flooded at {place}, cars are stuck",
    ),
    Hazard.DISASTER: (
        "Pohon tumbang menutup jalan di {place}",
        "Tebing longsor di belakang rumah dekat {place}",
        "Tiang listrik roboh kena pohon di {place}",
        "Longsor kecil menutup gang dekat {place}",
        "A tree fell across the road near {place}",
        "The slope behind our house is sliding, near {place}",
    ),
    Hazard.MEDICAL: (
        "Bapak saya pingsan, sesak napas, dekat {place}",
        "Ibu mau melahirkan, butuh ambulans ke {place}",
        "Ada orang kejang di warung dekat {place}",
        "Anak saya panas tinggi dan kejang, alamat dekat {place}",
        "Orang tua jatuh di kamar mandi, tidak sadar, dekat {place}",
        "An old man collapsed near {place}, he needs an ambulance",
        "My wife is in labour, we are near {place}",
    ),
    Hazard.CRIME: (
        "Ada jambret di {place}, pelakunya lari naik motor",
        "Tawuran dekat {place}, bawa senjata tajam",
        "Rumah tetangga dibobol maling, dekat {place}",
        "Motor saya diambil orang di parkiran {place}",
        "Somebody was robbed near {place}, two men on a motorbike",
        "People are fighting with knives near {place}",
    ),
    Hazard.OTHER: (
        "Ada ular masuk rumah dekat {place}",
        "Kabel listrik putus di {place}",
        "Kucing kejepit di atap dekat {place}",
        "Sarang tawon besar dekat sekolah di {place}",
        "There is a snake in our kitchen, near {place}",
        "A power line is down on the pavement at {place}",
    ),
}
"""What callers say about each kind; ``{place}`` is what they call the place."""

UNSURE = (
    "Ada ramai-ramai di {place}, saya tidak tahu kenapa",
    "Tolong cepat ke {place}, (telepon terputus)",
    "Something happened at {place}, people are running",
)
"""What those say who can't tell what it is."""
