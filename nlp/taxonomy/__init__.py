"""The label systems as versioned data: content categories, natures, legal channels, departments.

Sources: the national content classification of petitions; 《信访工作条例》 art. 29-31; the county-level directory of
responsible units. Codes are stable; names may change with the law and with an office's overlay.
"""

from nlp.taxonomy.loading import load_taxonomy
from nlp.taxonomy.overlay import Overlay, read_overlay
from nlp.taxonomy.records import Category, Channel, Department, Nature, Neighbour, Subcategory, Taxonomy

__all__ = [
    "Category",
    "Channel",
    "Department",
    "Nature",
    "Neighbour",
    "Overlay",
    "Subcategory",
    "Taxonomy",
    "load_taxonomy",
    "read_overlay",
]
